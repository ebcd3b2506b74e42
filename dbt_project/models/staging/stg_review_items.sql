-- What people had or have to judge, as it stood when its store-day was last computed.
with items as (
    select * from {{ source('orders', 'review_items') }}
),

renamed as (
    select
        store_id,
        business_date::date as business_date,
        review_id,
        state
    from items
)

select * from renamed
