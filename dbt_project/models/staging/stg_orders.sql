-- All orders: those of the platform and those from before it.
with platform as (
    select * from {{ source('orders', 'orders') }}
),

stores as (
    select * from {{ source('orders', 'stores') }}
),

historical as (
    select * from {{ source('orders', 'historical_orders') }}
),

unified as (
    select
        platform.store_id,
        platform.business_date::date as business_date,
        platform.order_no,
        platform.amount_fen,
        'platform' as origin,
        stores.is_simulated
    from platform
    left join stores using (store_id)

    union all

    select
        store_id,
        business_date::date as business_date,
        order_no,
        amount_fen,
        'history' as origin,
        is_simulated
    from historical
)

select * from unified
