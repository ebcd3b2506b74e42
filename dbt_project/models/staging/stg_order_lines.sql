-- Lines of all orders.
with platform as (
    select * from {{ source('orders', 'order_lines') }}
),

historical as (
    select * from {{ source('orders', 'historical_order_lines') }}
),

unified as (
    select order_no, product_id, quantity, amount_fen from platform
    union all
    select order_no, product_id, quantity, amount_fen from historical
)

select * from unified
